import { writeFileSync } from 'node:fs';
import { conditions, reasons } from '../src/agent/vocabulary.ts';

// Writes docs/usage/conditions.md from the vocabulary; run as `node packaging/conditions-page.ts`.

const pageFile = new URL('../docs/usage/conditions.md', import.meta.url);

export function conditionsPage(): string {
  const types = conditions.map(({ type, trueWhen }) => `| ${type} | ${trueWhen} |`);
  const entries = Object.entries(reasons).map(
    ([reason, meaning]) => `| [\`${reason}\`](runbook.md#${reason.toLowerCase()}) | ${meaning} |`,
  );
  return `<!-- made by packaging/conditions-page.ts -->
# Conditions and their reasons

Look up a condition or a reason that \`slipway status\` shows. Each condition has a status, as in Kubernetes: **True**
if it is met, **Unknown** if it may still become True without your help, **False** if it failed or has taken too long.
Slipway checks an unmet condition again within a minute, or after ten minutes if a person must repair something. It
checks all conditions immediately when the settings change, and after \`systemctl reload slipway\`. The condition \`Ready\`
summarises all other conditions, and stays True if the node works in spite of a fault.

| condition | True when |
|---|---|
| Ready | the node works, and all conditions that it needs are True |
${types.join('\n')}

The message beside a reason states what happened on this node, why, and what to do next. The [runbook](runbook.md)
explains each reason in more detail.

| reason | meaning |
|---|---|
${entries.join('\n')}

## What can go wrong

- **A reason is not listed here.** The node runs a release that is newer than this page. Run \`slipway version\` on the
  node, and read this page in the sources of that release.
- **A condition stays Unknown.** The message states what the condition waits for.
`;
}

if (import.meta.main) {
  writeFileSync(pageFile, conditionsPage());
}
