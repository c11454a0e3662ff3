/** The reasons about charts that K3s installs, each with its meaning. */
export const chartReasons = {
  ChartInProgress: 'K3s installs or upgrades a chart, or uninstalls an earlier release of it.',
  ChartFailed:
    'K3s cannot install or upgrade a chart; the message quotes what its job and the release report.',
  ChartMoved:
    'The settings name another namespace for a chart than that of its release, which K3s would leave behind; nothing was changed.',
  ChartOwned:
    'Another program or a person owns a field of a HelmChart, or an annotation makes K3s ignore the HelmChart; the message names the field or the annotation.',
} as const;
