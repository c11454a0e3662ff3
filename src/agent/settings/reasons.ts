/** Reasons for failures of the settings. */
export const settingsReasons = {
  InvalidSettings:
    'The settings are invalid; the message names the file, the path and the repair of each problem.',
} as const;
