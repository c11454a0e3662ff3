import { azure } from './azure/driver.ts';
import type { CloudDriver } from './driver.ts';
import { staticDriver } from './static/driver.ts';

/** Some clouds by name: those below, or a test's own. */
export type Clouds = Readonly<Record<string, CloudDriver>>;

/** Every cloud there is: what is in here has its settings, and is in every place that depends on the cloud. */
export const clouds = { azure, static: staticDriver } as const satisfies Clouds;

export type CloudName = keyof typeof clouds;

/** The cloud of a node whose settings name none. */
export const defaultCloud = 'azure' satisfies CloudName;
