import { expect, onTestFinished, test, vi } from 'vitest';
import { ownership } from '../../../../../src/agent/host/files/ownership.ts';

test.each([
  ['the user and group of the process', 1000, 1000, {}],
  ['root', 0, 0, { foreignOwner: '0:0' }],
  ['the user of the process and the group of root', 1000, 0, { foreignOwner: '1000:0' }],
  ['another user', 1001, 1000, { foreignOwner: '1001:1000', foreignUser: 1001 }],
  [
    'the user of the process and another group',
    1000,
    1001,
    { foreignOwner: '1000:1001', foreignGroup: 1001 },
  ],
])('ownership compares a process that is not root with the owner of a file: %s', (_, uid, gid, expected) => {
  const [user, group] = [vi.spyOn(process, 'geteuid'), vi.spyOn(process, 'getegid')];
  onTestFinished(() => {
    user.mockRestore();
    group.mockRestore();
  });
  user.mockReturnValue(1000);
  group.mockReturnValue(1000);
  expect(ownership({ uid, gid })).toEqual(expected);
});
