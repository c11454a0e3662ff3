/** The measurements of a machine; sizes are in megabytes. */
export interface Measures {
  /** Returns the memory that programs can get without swapping. */
  memoryAvailable(): Promise<number>;
  /** Returns the disk of a path, or of the nearest existing parent. */
  disk(path: string): Promise<Disk>;
}

export interface Disk {
  readonly size: number;
  readonly available: number;
}
