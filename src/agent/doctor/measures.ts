/** Measures the memory and disks of a machine; sizes are in megabytes. */
export interface Measures {
  /** Returns the memory that programs can get without swapping. */
  memoryAvailable(): Promise<number>;
  /** Returns the disk that contains a path or, if the path does not exist, its nearest existing parent. */
  disk(path: string): Promise<Disk>;
}

export interface Disk {
  readonly size: number;
  readonly available: number;
}
