/** The options of a command that needs no settings. */
export interface InstallOptions {
  readonly root: string;
}

/** The options of a command that removes something, and has a dry run. */
export interface RemovalOptions extends InstallOptions {
  readonly dryRun: boolean;
}

export interface UninstallOptions extends RemovalOptions {
  readonly purge: boolean;
  readonly k3s: boolean;
  /** True if NAT for private hosts is removed. */
  readonly nat: boolean;
}
