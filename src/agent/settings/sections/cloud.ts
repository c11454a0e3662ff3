import { type Clouds, clouds } from '../../clouds/index.ts';
import { choiceOf } from '../choice.ts';
import { about } from '../section.ts';

/** The setting that chooses one of these clouds. */
export function cloudChoice<Table extends Clouds>(table: Table) {
  const summaries = Object.entries(table).map(([name, { summary }]) => `${name} ${summary}`);
  return about(`Where this node runs: ${summaries.join(', ')}.`, choiceOf(table));
}

export const cloud = cloudChoice(clouds);
