import { expect, test } from 'vitest';
import { clouds } from '../../../../src/agent/clouds/index.ts';
import { registryTrouble, registryUnreachable } from '../../../../src/agent/clouds/registry-errors.ts';
import { NodeError } from '../../../../src/agent/engine/errors.ts';

const unknown = new NodeError('Unreachable', 'getaddrinfo', {
  cause: Object.assign(new Error('x'), { code: 'ENOTFOUND' }),
});

test.each([
  ['azure', /the DNS servers of the virtual network/, /VM's subnet.*private endpoint/],
  ['static', /the DNS servers that this machine asks/, /firewall of the registry/],
] as const)('registry errors use the wording of cloud %s', (cloud, names, firewall) => {
  const asked = { server: 'team.example', hints: clouds[cloud].hints };
  expect(registryUnreachable(unknown, asked).message).toMatch(names);
  expect(registryTrouble({ status: 403, headers: {}, body: '' }, asked, 0)?.message).toMatch(firewall);
});
