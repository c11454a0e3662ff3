/** Reasons for failures of the settings. */
export const settingsReasons = {
  InvalidSettings: 'The settings cannot be used; each problem names its file, its path and the repair.',
} as const;
