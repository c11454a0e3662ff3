import { writeFileSync } from 'node:fs';

// Draws the README's picture of a node's life; run as `node packaging/picture.ts`.

interface Step {
  readonly title: string;
  readonly lines: readonly string[];
}

/** The steps of each boot, from left to right. */
const boot: readonly Step[] = [
  { title: 'Tags', lines: ['k3s-role: what this', 'VM becomes'] },
  { title: 'Join token', lines: ['from Key Vault, with', 'the managed identity'] },
  { title: 'K3s', lines: ['verified, installed,', 'started'] },
  { title: 'Ready', lines: ['the node serves', 'its cluster'] },
];

/** The work that Slipway repeats as long as the VM lives. */
const life: readonly Step[] = [
  { title: 'Registry credentials', lines: ['renewed every two hours,', 'without a restart of K3s'] },
  { title: 'Drift', lines: ['of files, units and K3s:', 'found and corrected'] },
  { title: 'Flux', lines: ['bootstrapped on the server,', 'kept as it should be'] },
];

const alternative = 'At boot: tags, join token, K3s, Ready. Then: registry credentials, drift, Flux.';

const style = `
text{font:15px system-ui,-apple-system,"Segoe UI",Helvetica,Arial,sans-serif;fill:#1f2328}
.heading{font-size:14px;fill:#59636e}
.title{font-size:17px;font-weight:600}
rect{fill:#f6f8fa;stroke:#d1d9e0}
.life rect{fill:#ddf4ff;stroke:#54aeff}
.line{fill:none;stroke:#59636e;stroke-width:2}
.head{fill:#59636e}
@media (prefers-color-scheme:dark){
text{fill:#f0f6fc}
.heading{fill:#9198a1}
rect{fill:#151b23;stroke:#3d444d}
.life rect{fill:#0c2d4a;stroke:#388bfd}
.line{stroke:#9198a1}
.head{fill:#9198a1}
}
`;

const width = 880;
const height = 302;
const boxHeight = 84;
const gap = 32;
const bootTop = 30;
const lifeTop = 176;

if (import.meta.main) {
  writeFileSync(new URL('../docs/life-of-a-node.svg', import.meta.url), pictureText());
}

/** Returns the picture as SVG with colours for the light and the dark theme. */
export function pictureText(): string {
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" role="img" aria-labelledby="title">`,
    `<title id="title">${alternative}</title>`,
    `<style>${style}</style>`,
    '<g>',
    heading('At every boot', bootTop - 12),
    ...row(boot, bootTop),
    '</g>',
    '<g class="life">',
    heading('From then on', lifeTop - 12),
    ...row(life, lifeTop),
    '</g>',
    intoLife(),
    backToStart(),
    '</svg>\n',
  ].join('\n');
}

function heading(text: string, y: number): string {
  return `<text class="heading" x="1" y="${y}">${text}</text>`;
}

/** Returns a row of boxes of equal width across the picture, with an arrow from each box to the next. */
function row(steps: readonly Step[], y: number): readonly string[] {
  const size = boxWidth(steps);
  return steps.map(({ title, lines }, index) => {
    const x = 1 + index * (size + gap);
    return [
      ...(index > 0
        ? [arrow(`M${x - gap + 3} ${y + boxHeight / 2}H${x - 10}`, x - 3, y + boxHeight / 2, 0)]
        : []),
      `<rect x="${x}" y="${y}" width="${size}" height="${boxHeight}" rx="8"/>`,
      `<text class="title" x="${x + 16}" y="${y + 28}">${title}</text>`,
      ...lines.map((line, below) => `<text x="${x + 16}" y="${y + 51 + below * 20}">${line}</text>`),
    ].join('');
  });
}

/** Returns the arrow from Ready down to the first box of the second row. */
function intoLife(): string {
  const ready = width - 1 - boxWidth(boot) / 2;
  const first = 1 + boxWidth(life) / 2;
  const middle = bootTop + boxHeight + 22;
  return arrow(
    `M${ready} ${bootTop + boxHeight + 3}V${middle}H${first}V${lifeTop - 10}`,
    first,
    lifeTop - 3,
    90,
  );
}

/** Returns the arrow from the last box of the second row back to its first. */
function backToStart(): string {
  const last = width - 1 - boxWidth(life) / 2;
  const first = 1 + boxWidth(life) / 2;
  const bottom = lifeTop + boxHeight;
  return arrow(`M${last} ${bottom + 3}V${bottom + 24}H${first}V${bottom + 10}`, first, bottom + 3, -90);
}

function boxWidth({ length }: readonly Step[]): number {
  return Math.floor((width - 2 - (length - 1) * gap) / length);
}

/** Returns a line along `path`, and an arrowhead at (x, y) that points right, turned clockwise by `turn` degrees. */
function arrow(path: string, x: number, y: number, turn: number): string {
  return `<path class="line" d="${path}"/><path class="head" transform="translate(${x} ${y}) rotate(${turn})" d="M0 0l-10 -5v10z"/>`;
}
