/** What can be measured of a machine; sizes in megabytes. */
export interface Measures {
  /** For programs, without what would have to be swapped. */
  memoryAvailable(): Promise<number>;
  /** The disk on which a path is, or would be if it were made. */
  disk(path: string): Promise<Disk>;
}

export interface Disk {
  readonly size: number;
  readonly available: number;
}
