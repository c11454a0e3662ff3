import { writeFileSync } from 'node:fs';

// Draws the README's picture of a node's life: `node packaging/picture.ts`

interface Step {
  readonly title: string;
  readonly lines: readonly string[];
}

/** What happens once at each boot, from left to right. */
const boot: readonly Step[] = [
  { title: 'Tags', lines: ['k3s-role says what', 'the VM becomes'] },
  { title: 'Join token', lines: ['from Key Vault, with', 'the managed identity'] },
  { title: 'K3s', lines: ['verified, installed,', 'started'] },
  { title: 'Ready', lines: ['the node is in', 'the cluster'] },
];

/** What goes on for the life of the VM. */
const life: readonly Step[] = [
  { title: 'Registry credentials', lines: ['renewed every two hours,', 'no restart of K3s'] },
  { title: 'Drift', lines: ['files, units and K3s,', 'checked and corrected'] },
  { title: 'Flux', lines: ['bootstrapped on the server,', 'kept in place'] },
];

const file = new URL('../docs/life-of-a-node.svg', import.meta.url);
const width = 880;
const height = 316;
const gap = 28;

if (import.meta.main) writeFileSync(file, pictureText());

/** Returns the picture as SVG, which follows the light or dark theme of its reader. */
export function pictureText(): string {
  const top = 52;
  const bottom = 208;
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" role="img" aria-labelledby="title">`,
    '<title id="title">At boot Slipway reads the tags, fetches the join token, installs K3s and waits for Ready. Then it renews credentials, corrects drift and keeps Flux in place.</title>',
    `<style>${style}</style>`,
    heading('At every boot', top - 18),
    ...row(boot, top, 'step'),
    ...arrows(boot.length, top + 42),
    loop(top + 84, bottom),
    heading('For the life of the VM', bottom - 18),
    ...row(life, bottom, 'step life'),
    '</svg>\n',
  ].join('\n');
}

const style = [
  'text{font:15px system-ui,-apple-system,"Segoe UI",Helvetica,Arial,sans-serif;fill:#1f2328}',
  '.heading{font-size:14px;fill:#59636e}.title{font-weight:600;font-size:17px}',
  '.step{fill:#f6f8fa;stroke:#d1d9e0}.life{fill:#ddf4ff;stroke:#54aeff}',
  '.arrow{fill:none;stroke:#59636e;stroke-width:2}.head{fill:#59636e}',
  '@media(prefers-color-scheme:dark){text{fill:#f0f6fc}.heading{fill:#9198a1}.step{fill:#151b23;stroke:#3d444d}',
  '.life{fill:#0c2d4a;stroke:#388bfd}.arrow{stroke:#9198a1}.head{fill:#9198a1}}',
].join('');

function heading(text: string, y: number): string {
  return `<text class="heading" x="1" y="${y}">${text}</text>`;
}

/** Boxes of one width across the picture. */
function row(steps: readonly Step[], y: number, box: string): readonly string[] {
  const size = boxWidth(steps.length);
  return steps.map(({ title, lines }, index) => {
    const x = 1 + index * (size + gap);
    const text = lines.map((line, below) => `<text x="${x + 16}" y="${y + 52 + below * 20}">${line}</text>`);
    return [
      `<rect class="${box}" x="${x}" y="${y}" width="${size}" height="84" rx="8"/>`,
      `<text class="title" x="${x + 16}" y="${y + 28}">${title}</text>`,
      ...text,
    ].join('');
  });
}

function boxWidth(count: number): number {
  return (width - 2 - (count - 1) * gap) / count;
}

/** From each box of a row to the next. */
function arrows(count: number, y: number): readonly string[] {
  const size = boxWidth(count);
  return Array.from({ length: count - 1 }, (_, index) => {
    const from = 1 + (index + 1) * size + index * gap + 4;
    return `${line(`M${from} ${y}H${from + gap - 14}`)}${arrowHead(from + gap - 6, y, 0)}`;
  });
}

/** From Ready down to what goes on, and round and round there. */
function loop(from: number, to: number): string {
  const x = width - 1 - boxWidth(boot.length) / 2;
  return `${line(`M${x} ${from + 4}V${to - 14}`)}${arrowHead(x, to - 6, 90)}`;
}

function line(path: string): string {
  return `<path class="arrow" d="${path}"/>`;
}

function arrowHead(x: number, y: number, turn: number): string {
  return `<path class="head" transform="translate(${x} ${y}) rotate(${turn})" d="M0 0l-9 -5v10z"/>`;
}
