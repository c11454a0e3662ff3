declare const __VERSION__: string | undefined;
declare const __COMMIT__: string | undefined;

/** The version in package.json; `0.0.0` when Slipway runs from its sources. */
export const version = typeof __VERSION__ === 'undefined' ? '0.0.0' : __VERSION__;

/** The commit of the build, shortened; `sources` when Slipway runs from its sources. */
export const commit = typeof __COMMIT__ === 'undefined' ? 'sources' : __COMMIT__;

/** The line that `slipway version` prints. */
export const versionLine = `slipway ${version} (${commit}, Node ${process.versions.node}, ${process.arch})`;
