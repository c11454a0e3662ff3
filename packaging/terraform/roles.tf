# The nodes, their roles and the open ports. Tests evaluate this file, so it needs no provider.
locals {
  server_ip = cidrhost(var.subnet, 4)

  # Several servers register behind the last address that Azure does not reserve; those after the first one have the
  # addresses before it, which Azure gives to no other node for a long time.
  balanced        = var.servers > 1
  registration_ip = local.balanced ? cidrhost(var.subnet, -2) : local.server_ip

  first = { "${var.name}-server" = { role = "server", size = var.size, ip = local.server_ip } }
  joining = { for number in range(2, var.servers + 1) :
    "${var.name}-server-${number}" => { role = "server", size = var.size, ip = cidrhost(var.subnet, -1 - number) }
  }
  servers    = merge(local.first, local.joining)
  server_ips = [for server in values(local.servers) : server.ip]

  others = merge(
    { for name, agent in var.agents : "${var.name}-${name}" => { role = "agent", size = coalesce(agent.size, var.size) } },
    { for name in var.observability ? ["observability"] : [] : "${var.name}-${name}" => { role = "observability", size = var.size } },
    { for name in var.ingress ? ["ingress"] : [] : "${var.name}-${name}" => { role = "ingress", size = var.size } },
  )
  nodes = merge({ for name, server in local.servers : name => { role = server.role, size = server.size } }, local.others)
  roles = toset([for node in local.nodes : node.role])

  # Only nodes may connect to a node, on three ports; 8472/udp carries the traffic between pods. Of several servers, only
  # the servers reach the ports of etcd. Any other peer needs a
  # variable: ssh_sources opens SSH on all nodes, and ingress opens the web ports of the ingress node.
  inbound = merge(
    {
      kubernetes-api = { priority = 100, protocol = "Tcp", ports = ["6443"], sources = [var.subnet], to = "nodes" }
      kubelet        = { priority = 110, protocol = "Tcp", ports = ["10250"], sources = [var.subnet], to = "nodes" }
      flannel-vxlan  = { priority = 120, protocol = "Udp", ports = ["8472"], sources = [var.subnet], to = "nodes" }
    },
    { for name in local.balanced ? ["etcd"] : [] : name => { priority = 125, protocol = "Tcp", ports = ["2379-2380"], sources = local.server_ips, to = "servers" } },
    { for name in length(var.ssh_sources) > 0 ? ["ssh"] : [] : name => { priority = 130, protocol = "Tcp", ports = ["22"], sources = var.ssh_sources, to = "nodes" } },
    { for name in var.ingress ? ["web"] : [] : name => { priority = 140, protocol = "Tcp", ports = ["80", "443"], sources = var.web_sources, to = "ingress" } },
  )
}
