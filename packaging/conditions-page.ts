import { writeFileSync } from 'node:fs';
import { conditions, reasons } from '../src/agent/vocabulary.ts';

// Writes docs/usage/conditions.md from the vocabulary:
// `node packaging/conditions-page.ts`

const pageFile = new URL('../docs/usage/conditions.md', import.meta.url);

export function conditionsPage(): string {
  const types = conditions.map(({ type, trueWhen }) => `| ${type} | ${trueWhen} |`);
  const entries = Object.entries(reasons).map(
    ([reason, meaning]) => `| [\`${reason}\`](runbook.md#${reason.toLowerCase()}) | ${meaning} |`,
  );
  return `<!-- made by packaging/conditions-page.ts -->
# Conditions and their reasons

\`slipway status\` shows conditions in the Kubernetes form. **True**: it is so. **Unknown**: not yet, and it may come by
itself. **False**: it failed, or has had its time; Slipway goes on looking and trying, every minute to every ten, and at once
when the settings change or after \`systemctl reload slipway\`. \`Ready\` sums them up: it stays True while what is wrong does not keep the node from working.

| condition | True when |
|---|---|
| Ready | nothing keeps this VM from being the node it should be |
${types.join('\n')}

The message beside a reason says what happened on this node, why, and what to do next; [the runbook](runbook.md) has the long form of each reason.

| reason | what it means |
|---|---|
${entries.join('\n')}
`;
}

if (import.meta.main) writeFileSync(pageFile, conditionsPage());
