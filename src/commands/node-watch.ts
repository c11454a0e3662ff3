import type { K3sNode } from '../agent/node.ts';

/** The node as a watch sees it, which runs beside the passes. */
export interface WatchedNode {
  /** The node of the newest pass. */
  readonly current: K3sNode | undefined;
  /** Resolves after the next pass. */
  next(): Promise<void>;
}

/**
 * Returns a function that takes this node after each pass. Its first call starts `watch`, which runs beside the passes.
 */
export function nodeWatch(watch: (node: WatchedNode) => Promise<void>): (node: K3sNode | undefined) => void {
  let current: K3sNode | undefined;
  let passed = Promise.withResolvers<void>();
  let isWatching = false;
  const watched = {
    get current() {
      return current;
    },
    next: () => passed.promise,
  };
  return (node) => {
    current = node;
    passed.resolve();
    passed = Promise.withResolvers<void>();
    if (!isWatching) {
      isWatching = true;
      void watch(watched);
    }
  };
}
