# The open ports, tags, settings and firewall rules of each node. Tests evaluate this file, so it needs no provider.
locals {
  pods       = "10.42.0.0/16"
  ingress_ip = cidrhost(var.public_subnet, 10)
  server_ip  = cidrhost(var.private_subnet, 10)

  # The port table: for each node, the peers that may connect, and to which ports.
  every_node = {
    kubelet       = { protocol = "tcp", port = 10250, sources = [var.vcn] }
    flannel-vxlan = { protocol = "udp", port = 8472, sources = [var.vcn] }
  }
  ssh_behind = { for name in length(var.ssh_sources) > 0 ? ["ssh"] : [] : name => { protocol = "tcp", port = 22, sources = [var.public_subnet] } }
  ports = {
    ingress = merge(local.every_node, {
      http  = { protocol = "tcp", port = 80, sources = var.web_sources }
      https = { protocol = "tcp", port = 443, sources = var.web_sources }
      ssh   = { protocol = "tcp", port = 22, sources = var.ssh_sources }
    })
    server = merge(local.every_node, local.ssh_behind, { kubernetes-api = { protocol = "tcp", port = 6443, sources = [var.vcn] } })
    worker = merge(local.every_node, local.ssh_behind)
  }
  inbound = merge([for node, ports in local.ports : merge([for name, each in ports : {
    for source in each.sources : "${node}-${name}-${source}" => { node = node, protocol = each.protocol, port = each.port, source = source }
  }]...)]...)

  # Rules for the host's firewall, because Oracle's images reject all but SSH: the same ports except SSH, the networks of
  # pods, and what the ingress node forwards.
  host_rules = { for node, ports in local.ports : node => concat(
    flatten([for each in ports : [for source in each.sources : "INPUT -s ${source} -p ${each.protocol} --dport ${each.port} -j ACCEPT"] if each.port != 22]),
    ["INPUT -s ${local.pods} -j ACCEPT", "FORWARD -s ${local.pods} -j ACCEPT", "FORWARD -d ${local.pods} -j ACCEPT"],
    node != "ingress" ? [] : [
      "FORWARD -s ${var.private_subnet} -j ACCEPT",
      "FORWARD -d ${var.private_subnet} -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT",
    ],
  ) }
  firewall = { for node, rules in local.host_rules : node => var.open_image_firewall ? join("; ", rules) : "" }

  roles = { ingress = "ingress", server = "server", worker = "agent" }
  tags = { for node, role in local.roles : node => merge(
    { k3s-role = role },
    { for server in node == "server" ? [] : [local.server_ip] : "k3s-server" => server },
    { for version in var.k3s_version == null ? [] : [var.k3s_version] : "k3s-version" => version },
  ) }

  # Slipway's settings in addition to the tags; they contain no secret.
  everywhere = {
    cloud      = "oracle"
    joinToken  = { secretName = "k3s-token", agentSecretName = "k3s-agent-token" }
    registries = { servers = var.registries }
  }
  # The secrets that each role may read.
  secrets = {
    server = concat(values(local.everywhere.joinToken), var.server_secrets)
    agents = [local.everywhere.joinToken.agentSecretName]
  }
  here = {
    server = {}
    worker = {}
    ingress = {
      # The other nodes reach the internet through this one.
      network = { nat = { from = [var.private_subnet], except = [var.vcn] } }
      # K3s' ServiceLB opens the ports of Services, such as 80 and 443 of Traefik, only on nodes with this label.
      node = { labels = ["svccontroller.k3s.cattle.io/enablelb=true"] }
    }
  }
  settings = { for node, own in local.here : node => merge(local.everywhere, own, var.settings) }
}
