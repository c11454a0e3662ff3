/** Where a command works that needs no settings. */
export interface InstallOptions {
  readonly root: string;
}

/** What takes something away, and can be rehearsed. */
export interface RemovalOptions extends InstallOptions {
  readonly dryRun: boolean;
}

export interface UninstallOptions extends RemovalOptions {
  readonly purge: boolean;
  readonly k3s: boolean;
}
