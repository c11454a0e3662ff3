/** Renders the logs of the daemons for a reader: one line for each event worth showing. */
import { styleText } from 'node:util';

/**
 * Renders a log line for a reader; `undefined` if the line is not worth showing. Removes `root` from paths, as if each
 * node had its own machine.
 */
export function tell(node: string, root: string, line: string, seconds: number): string | undefined {
  const event = parsed(line);
  const said = event === undefined ? line : sentence(event);
  if (said === undefined) {
    return undefined;
  }
  const time = `${seconds.toFixed(1)}s`.padStart(6);
  return `${time}  ${styleText(colours[node] ?? 'white', node.padEnd(13))}  ${said.replaceAll(root, '')}`;
}

type Event = Readonly<Record<string, unknown>>;

const colours: Readonly<Record<string, 'cyan' | 'green' | 'magenta'>> = {
  server: 'cyan',
  agent: 'green',
  observability: 'magenta',
  ingress: 'magenta',
  worker: 'green',
};

function parsed(line: string): Event | undefined {
  try {
    const found = JSON.parse(line);
    return typeof found === 'object' && found !== null ? found : undefined;
  } catch {
    return undefined;
  }
}

function sentence(event: Event): string | undefined {
  if (event.msg === 'changed') {
    return String(event.did);
  }
  if (event.msg === 'condition changed') {
    return condition(event);
  }
  if (event.msg === 'woken') {
    return undefined;
  }
  return [event.msg, event.warning, event.version].filter((part) => part !== undefined).join(' ');
}

/**
 * Returns the text for a condition; `undefined` if the condition is not worth showing. If the condition is True, only
 * `Ready` and `GitOps` are shown, by name; otherwise the text is its name, reason and the first sentence of its
 * message.
 */
function condition({ condition, status, reason, message }: Event): string | undefined {
  const told = ['Ready', 'GitOps'];
  if (status === 'True') {
    return told.includes(String(condition)) ? styleText('bold', `${condition}`) : undefined;
  }
  if (condition === 'Ready' || reason === 'Blocked') {
    return undefined;
  }
  const [first] = String(message ?? '').split(/(?<=[a-z)])\. /);
  const mark = status === 'False' ? styleText('red', 'failed') : 'waits';
  return `${mark}: ${condition}: ${reason}: ${first}`;
}
