import * as z from 'zod/mini';
import { type Clouds, clouds } from '../../clouds/index.ts';
import { choiceOf } from '../choice.ts';
import { about } from '../section.ts';

/**
 * The value of `cloud` that makes Slipway detect the cloud. The name of the detected cloud replaces this value before
 * the settings are validated.
 */
export const autoCloud = 'auto';

/** Returns the setting that chooses one of these clouds. */
export function cloudChoice<Table extends Clouds>(table: Table) {
  const summaries = Object.entries(table).map(([name, { summary }]) => `${name} ${summary}`);
  const chosen = choiceOf(table);
  return about(
    `The source of the facts about this node: ${summaries.join(', ')}. ${autoCloud} detects the cloud by cloud-init's id or the firmware, without the network. If cloud is not set and the settings have the section of exactly one cloud, Slipway uses this cloud.`,
    z.pipe(
      choiceOf({ [autoCloud]: autoCloud, ...table }),
      z.transform((name, { issues }) => {
        const { data = z.NEVER, error } = z.safeParse(chosen, name);
        if (error) {
          issues.push({
            code: 'custom',
            message: 'must name a cloud, since none is detected here',
            input: name,
          });
        }
        return data;
      }),
    ),
  );
}

export const cloud = cloudChoice(clouds);
