import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { pictureText } from '../../../packaging/picture.ts';

const repository = new URL('../../../', import.meta.url);

test('docs/life-of-a-node.svg matches the script that draws it', () => {
  const committed = readFileSync(new URL('docs/life-of-a-node.svg', repository), 'utf8');
  expect(committed, 'run: node packaging/picture.ts').toBe(pictureText());
});

test('the alternative text in README.md matches the title of the picture', () => {
  const [, title] = /<title[^>]*>(.*)<\/title>/.exec(pictureText()) ?? [];
  expect(readFileSync(new URL('README.md', repository), 'utf8')).toContain(
    `![${title}](docs/life-of-a-node.svg)`,
  );
});
