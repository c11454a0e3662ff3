import type { Resource } from '../engine/resource.ts';

/** The facts about a server that an engine needs to hand it over to a repository. */
export interface GitOpsContext {
  /** The ids of the Resources that must be settled before the API is usable. */
  readonly needs: readonly string[];
  /** The paths of the K3s executable, and of the cluster admin's kubeconfig. */
  readonly k3s: string;
  readonly kubeconfig: string;
  /** The directory for the engine's executable. */
  readonly binDir: string;
  /** The path of the trace of the job that downloads the executable. */
  readonly downloadTrace: string;
  /** The path of the trace of the job that bootstraps the engine. */
  readonly bootstrapTrace: string;
  /** The folder for the bootstrap's temporary files. It exists only until the bootstrap has ended. */
  readonly scratch: string;
  /** Slipway's own folder, which is HOME for the engine's executable. */
  readonly home: string;
  readonly arch: 'x64' | 'arm64';
}

/** The port to a GitOps engine: the Resources that hand a server over to a repository. */
export interface GitOps {
  readonly name: string;
  /** Warnings about valid settings that are likely to have an unexpected effect. */
  readonly warnings: readonly string[];
  resources(context: GitOpsContext): readonly Resource[];
}
