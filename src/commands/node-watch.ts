import type { K3sNode } from '../agent/node.ts';

/**
 * Returns a function that takes this node after each pass. Its first call starts `watch`, which runs beside the passes
 * and reads the newest node with `current`.
 */
export function nodeWatch(
  watch: (current: () => K3sNode | undefined) => Promise<void>,
): (node: K3sNode | undefined) => void {
  let newest: K3sNode | undefined;
  let isWatching = false;
  return (node) => {
    newest = node;
    if (!isWatching) {
      isWatching = true;
      void watch(() => newest);
    }
  };
}
