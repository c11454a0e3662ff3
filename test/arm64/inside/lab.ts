import { startLab } from '../../lab/lab.ts';
import { tell } from '../../lab/story.ts';
import { check, say } from './console.ts';
import { executable } from './run.ts';

const dir = '/opt/lab';

/**
 * Brings up the lab, from nothing to three Ready nodes. Its credentials have the usual life of three hours: a node that
 * renews short ones all the time never has a pass that changes nothing.
 */
export async function tryLab(): Promise<void> {
  await check('three nodes of the lab become Ready', async () => {
    const begun = performance.now();
    const onLog = (node: string, line: string) => {
      const told = tell(node, `${dir}/${node}`, line, (performance.now() - begun) / 1000);
      if (told !== undefined) {
        say(told);
      }
    };
    const lab = await startLab({ dir, executable: [executable], onLog });
    try {
      lab.start();
      await lab.waitReady();
    } finally {
      await lab.stop();
    }
  });
}
