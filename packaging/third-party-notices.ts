import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

/** Returns the licenses of Node and of each bundled package; esbuild lists these packages in dist/meta.json. */
export function thirdPartyNotices(): string {
  const { inputs }: { inputs: Record<string, unknown> } = JSON.parse(readFileSync('dist/meta.json', 'utf8'));
  const bundled = Object.keys(inputs).flatMap(
    (path) => /^node_modules\/((@[^/]+\/)?[^/]+)/.exec(path)?.[1] ?? [],
  );
  return [`node-linux-${process.arch}`, ...new Set(bundled)].map(notice).join('\n');
}

function notice(name: string): string {
  const folder = join('node_modules', name);
  const { version }: { version: string } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'));
  const license = readdirSync(folder).find((file) => /^licen[cs]e/i.test(file));
  if (license === undefined) {
    throw new Error(`${name} has no license file, so it cannot be passed on`);
  }
  return `${'='.repeat(80)}\n${name} ${version}\n\n${readFileSync(join(folder, license), 'utf8').trim()}\n`;
}
