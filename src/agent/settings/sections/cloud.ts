import { type Clouds, clouds } from '../../clouds/index.ts';
import { choiceOf } from '../choice.ts';
import { about } from '../section.ts';

/** Returns the setting that chooses one of these clouds. */
export function cloudChoice<Table extends Clouds>(table: Table) {
  const summaries = Object.entries(table).map(([name, { summary }]) => `${name} ${summary}`);
  return about(`The cloud of this node: ${summaries.join(', ')}.`, choiceOf(table));
}

export const cloud = cloudChoice(clouds);
