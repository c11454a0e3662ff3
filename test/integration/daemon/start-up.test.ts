import { expect, test } from 'vitest';
import { staticImports } from '../static-imports.ts';

test('the daemon reports readiness before it loads the parts of a node', async () => {
  const loaded = await staticImports('src/commands/daemon.ts');
  expect(loaded).toContain('src/agent/host/systemd/notify.ts');
  expect(loaded.filter((path) => /^yaml|agent\/(parts|gitops|doctor|report\/publish)/.test(path))).toEqual(
    [],
  );
});
