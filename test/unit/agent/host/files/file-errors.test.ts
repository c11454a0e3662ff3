import { expect, test } from 'vitest';
import { NodeError } from '../../../../../src/agent/engine/errors.ts';
import { errnoOf, fileError, systemError } from '../../../../../src/agent/host/files/file-errors.ts';

test.each([
  ['ENOSPC', 'DiskFull', 'time'],
  ['EDQUOT', 'DiskFull', 'time'],
  ['EROFS', 'ReadOnly', 'person'],
  ['EACCES', 'PermissionDenied', 'person'],
  ['EPERM', 'PermissionDenied', 'person'],
  ['EISDIR', 'FileSystemError', 'time'],
  ['EIO', 'FileSystemError', 'time'],
])('fileError reports %s as %s with endedBy %s', (errno, reason, endedBy) => {
  const error = fileError(systemError(errno), 'write', '/etc/x');
  expect(error).toMatchObject({ reason, endedBy });
  expect(error.message).toMatch(new RegExp(`^Cannot write /etc/x: .*${errno}.*\\. [A-Z].*\\.$`));
  expect(errnoOf(error.cause)).toBe(errno);
});

test('fileError returns a NodeError unchanged', () => {
  const known = new NodeError('TimedOut', 'late');
  expect(fileError(known, 'write', '/x')).toBe(known);
});

test('fileError reports an error without an errno as InternalError', () => {
  expect(fileError(new TypeError('no'), 'write', '/x').reason).toBe('InternalError');
});
