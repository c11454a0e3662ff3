# The nodes, their roles and the open ports. Tests evaluate this file, so it needs no provider.
locals {
  server_ip = cidrhost(var.subnet, 4)

  server = { "${var.name}-server" = { role = "server", size = var.size } }
  others = merge(
    { for name, agent in var.agents : "${var.name}-${name}" => { role = "agent", size = coalesce(agent.size, var.size) } },
    { for name in var.observability ? ["observability"] : [] : "${var.name}-${name}" => { role = "observability", size = var.size } },
    { for name in var.ingress ? ["ingress"] : [] : "${var.name}-${name}" => { role = "ingress", size = var.size } },
  )
  nodes = merge(local.server, local.others)
  roles = toset([for node in local.nodes : node.role])

  # Only nodes may connect to a node, on three ports; 8472/udp carries the traffic between pods. Any other peer needs a
  # variable: ssh_sources opens SSH on all nodes, and ingress opens the web ports of the ingress node.
  inbound = merge(
    {
      kubernetes-api = { priority = 100, protocol = "Tcp", ports = ["6443"], sources = [var.subnet], to = "nodes" }
      kubelet        = { priority = 110, protocol = "Tcp", ports = ["10250"], sources = [var.subnet], to = "nodes" }
      flannel-vxlan  = { priority = 120, protocol = "Udp", ports = ["8472"], sources = [var.subnet], to = "nodes" }
    },
    { for name in length(var.ssh_sources) > 0 ? ["ssh"] : [] : name => { priority = 130, protocol = "Tcp", ports = ["22"], sources = var.ssh_sources, to = "nodes" } },
    { for name in var.ingress ? ["web"] : [] : name => { priority = 140, protocol = "Tcp", ports = ["80", "443"], sources = var.web_sources, to = "ingress" } },
  )
}
