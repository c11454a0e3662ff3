import { expect, onTestFinished, test, vi } from 'vitest';
import { ownership } from '../../../../../src/agent/host/files/ownership.ts';

test.each([
  ['this user and group', 1000, 1000, {}],
  ['root', 0, 0, { foreignOwner: '0:0' }],
  ['this user, in the group of root', 1000, 0, { foreignOwner: '1000:0' }],
  ['another user', 1001, 1000, { foreignOwner: '1001:1000', foreignUser: 1001 }],
  ['this user, in another group', 1000, 1001, { foreignOwner: '1000:1001', foreignGroup: 1001 }],
])('ownership describes a file of %s to a process that is not root', (_, uid, gid, expected) => {
  const [user, group] = [vi.spyOn(process, 'geteuid'), vi.spyOn(process, 'getegid')];
  onTestFinished(() => {
    user.mockRestore();
    group.mockRestore();
  });
  user.mockReturnValue(1000);
  group.mockReturnValue(1000);
  expect(ownership({ uid, gid })).toEqual(expected);
});
