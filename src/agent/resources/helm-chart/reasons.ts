/** The reasons about charts that K3s installs, each with its meaning. */
export const chartReasons = {
  ChartInProgress: 'K3s is installing or upgrading a chart, or uninstalling its previous release.',
  ChartFailed:
    'K3s cannot install or upgrade a chart; the message quotes what its job and the release report.',
  ChartMoved:
    'The release of a chart is not in the namespace that the settings name, and K3s would leave the release behind; Slipway changed nothing.',
  ChartOwned:
    'Another program or a person owns a field of a HelmChart, or an annotation makes K3s ignore the HelmChart; the message names the field or the annotation.',
} as const;
