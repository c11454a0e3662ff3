import { azure } from './azure/driver.ts';
import type { CloudDriver } from './driver.ts';
import { staticDriver } from './static/driver.ts';

/** Some clouds by name: those below, or a test's own. */
export type Clouds = Readonly<Record<string, CloudDriver>>;

/** Every cloud. An entry here adds the cloud's settings, and the cloud to every place that depends on it. */
export const clouds = { azure, static: staticDriver } as const satisfies Clouds;

export type CloudName = keyof typeof clouds;

/** The cloud of a node whose settings name no cloud. */
export const defaultCloud = 'azure' satisfies CloudName;
