/** Measurements of a machine; sizes in megabytes. */
export interface Measures {
  /** Memory that programs can get without swapping. */
  memoryAvailable(): Promise<number>;
  /** The disk of a path, or of its nearest parent if the path does not exist. */
  disk(path: string): Promise<Disk>;
}

export interface Disk {
  readonly size: number;
  readonly available: number;
}
