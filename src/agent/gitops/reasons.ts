/** Reasons that several GitOps engines share. */
export const gitOpsReasons = {
  BootstrapPathDiffers:
    'The GitOps engine follows a folder that differs from the settings; Slipway changed nothing.',
  BootstrapSourceDiffers:
    'The GitOps engine follows a repository, branch or revision that differs from the settings; Slipway changed nothing.',
} as const;
