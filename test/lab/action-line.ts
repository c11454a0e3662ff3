import type { RecordedAction } from '../../src/agent/engine/recorded-action.ts';
import { octal } from '../../src/agent/resources/file-attributes.ts';

/** Renders an action as one line for comparison: `write /etc/x 0600`, `run systemctl daemon-reload`. */
export function actionLine(action: RecordedAction): string {
  switch (action.kind) {
    case 'write':
      return `write ${action.path} ${octal(action.mode)}`;
    case 'link':
      return `link ${action.path} -> ${action.target}`;
    case 'rename':
      return `rename ${action.from} -> ${action.to}`;
    case 'remove':
      return `remove ${action.path}`;
    case 'copy':
    case 'compress':
    case 'decompress':
      return `${action.kind} ${action.from} -> ${action.to}`;
    case 'copyFile':
      return `copy ${action.from} -> ${action.to}`;
    case 'run':
      return `run ${action.command}`;
    case 'send':
      return `send ${action.method} ${action.url}`;
    case 'upload':
      return `upload ${action.from} -> ${action.url}`;
    case 'fetch':
      return `fetch ${action.url} -> ${action.path}`;
    case 'download':
      return `download ${action.url} -> ${action.path} ${octal(action.mode)}`;
    case 'obtain':
      return `obtain ${action.what}`;
  }
}
