/** The exports of the backup part for the list of parts, the reports, and the commands. */

export { type BackupStatus, backupStatus } from './backup-status.ts';
export { backups } from './backups.ts';
export type { NextBackup } from './due.ts';
export { findBackup } from './fetch.ts';
export { type ListedBackup, listBackups } from './list.ts';
export { idForm } from './names.ts';
export { notBackedUp } from './not-backed-up.ts';
export { backupPart } from './part.ts';
export type { BackupPorts } from './ports.ts';
export { type BackupProgress, backupProgress } from './progress.ts';
export { requestBackup, takeBack } from './request.ts';
