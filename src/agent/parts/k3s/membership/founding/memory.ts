/** What this process has seen of other servers. */
export interface FoundingMemory {
  /** Since when every other server has been silent, by the monotonic clock; `undefined` if one answered last. */
  silentSince: number | undefined;
}

/** Returns the memory of a new process: the silence that an earlier process saw does not count. */
export function foundingMemory(): FoundingMemory {
  return { silentSince: undefined };
}

/** Notes whether any other server answered; returns the milliseconds for which all have been silent. */
export function noteSilence(memory: FoundingMemory, isSilent: boolean, now: number): number {
  memory.silentSince = isSilent ? (memory.silentSince ?? now) : undefined;
  return memory.silentSince === undefined ? 0 : now - memory.silentSince;
}
