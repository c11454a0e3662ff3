import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { etcdMissing } from '../stand-ins/a-cluster.ts';
import { lengthened } from './limits.ts';
import { servedWithin } from './servers.ts';
import { labDir } from './show-platform.ts';
import { type KeptLab, keepLab, readWalk, taken } from './walk.ts';

const { steps, preamble } = readWalk('lost-servers.md');

describe.skipIf(etcdMissing !== undefined)(
  `three servers and an agent from the same settings${etcdMissing === undefined ? '' : ` (skipped: ${etcdMissing})`}`,
  () => {
    let lab: KeptLab;

    beforeAll(async () => {
      lab = await keepLab(['run', '--silent', 'lab', '--', 'servers', '3'], servedWithin + 60_000);
    }, servedWithin + 120_000);

    afterAll(() => lab?.stop());

    test('have one founder, which the tag marks, and two servers that joined', () => {
      const config = (name: string) =>
        readFileSync(join(labDir, name, 'etc/rancher/k3s/config.yaml'), 'utf8');
      expect(config('server-1')).toContain('cluster-init: true');
      expect(config('server-2')).toMatch(/^server: /m);
      expect(config('server-2')).not.toContain('cluster-init');
    });

    test('are lost in the numbered sections of the page: one, two, and all', () => {
      const numbered = new Set(steps.map(({ section }) => section).filter((section) => /^\d/.test(section)));
      expect([...numbered].map((section) => section.slice(0, 2))).toEqual(['1.', '2.', '3.']);
      expect(preamble).toContain('kubectl()');
    });

    test.each(steps)('print what the page shows for $command in section $section', async (step) => {
      const { printed, pattern } = await taken(step, preamble, lengthened(240_000));
      expect(printed).toMatch(pattern);
    });
  },
);
