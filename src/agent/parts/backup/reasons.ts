/** The reasons about backups. */
export const backupReasons = {
  BackupNotProven:
    'A backup did not come back from its store as it was written, so it does not count; the last proven backup stays.',
} as const;
