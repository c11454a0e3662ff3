resource "oci_core_vcn" "fleet" {
  compartment_id = var.compartment_id
  display_name   = "${var.name}-vcn"
  cidr_blocks    = [var.vcn]
  dns_label      = var.name
}

# The subnets admit only a router's message that a packet is too big; the security groups admit the rest.
resource "oci_core_security_list" "subnets" {
  compartment_id = var.compartment_id
  vcn_id         = oci_core_vcn.fleet.id
  display_name   = "${var.name}-subnets"

  egress_security_rules {
    protocol    = "all"
    destination = "0.0.0.0/0"
  }

  ingress_security_rules {
    protocol = "1"
    source   = "0.0.0.0/0"

    icmp_options {
      type = 3
      code = 4
    }
  }
}

resource "oci_core_internet_gateway" "out" {
  compartment_id = var.compartment_id
  vcn_id         = oci_core_vcn.fleet.id
  display_name   = "${var.name}-out"
}

resource "oci_core_route_table" "public" {
  compartment_id = var.compartment_id
  vcn_id         = oci_core_vcn.fleet.id
  display_name   = "${var.name}-public"

  route_rules {
    destination       = "0.0.0.0/0"
    destination_type  = "CIDR_BLOCK"
    network_entity_id = oci_core_internet_gateway.out.id
  }
}

resource "oci_core_subnet" "public" {
  compartment_id    = var.compartment_id
  vcn_id            = oci_core_vcn.fleet.id
  display_name      = "${var.name}-public"
  cidr_block        = var.public_subnet
  dns_label         = "public"
  route_table_id    = oci_core_route_table.public.id
  security_list_ids = [oci_core_security_list.subnets.id]
}

# The private address of the ingress node as an object of Oracle Cloud, which a route can name as its target.
data "oci_core_vnic_attachments" "ingress" {
  compartment_id = var.compartment_id
  instance_id    = oci_core_instance.node["ingress"].id
}

data "oci_core_private_ips" "ingress" {
  vnic_id = data.oci_core_vnic_attachments.ingress.vnic_attachments[0].vnic_id
}

resource "oci_core_route_table" "private" {
  compartment_id = var.compartment_id
  vcn_id         = oci_core_vcn.fleet.id
  display_name   = "${var.name}-private"

  route_rules {
    destination       = "0.0.0.0/0"
    destination_type  = "CIDR_BLOCK"
    network_entity_id = data.oci_core_private_ips.ingress.private_ips[0].id
  }
}

resource "oci_core_subnet" "private" {
  compartment_id             = var.compartment_id
  vcn_id                     = oci_core_vcn.fleet.id
  display_name               = "${var.name}-private"
  cidr_block                 = var.private_subnet
  dns_label                  = "private"
  prohibit_public_ip_on_vnic = true
  security_list_ids          = [oci_core_security_list.subnets.id]
}

# Attach the route in a separate resource, because the route needs the ingress node, and other nodes need the subnet.
resource "oci_core_route_table_attachment" "private" {
  subnet_id      = oci_core_subnet.private.id
  route_table_id = oci_core_route_table.private.id
}

resource "oci_core_network_security_group" "node" {
  for_each       = local.roles
  compartment_id = var.compartment_id
  vcn_id         = oci_core_vcn.fleet.id
  display_name   = "${var.name}-${each.key}"
}

resource "oci_core_network_security_group_security_rule" "inbound" {
  for_each                  = local.inbound
  network_security_group_id = oci_core_network_security_group.node[each.value.node].id
  direction                 = "INGRESS"
  protocol                  = { tcp = "6", udp = "17" }[each.value.protocol]
  source                    = each.value.source
  source_type               = "CIDR_BLOCK"

  dynamic "tcp_options" {
    for_each = each.value.protocol == "tcp" ? [each.value.port] : []

    content {
      destination_port_range {
        min = tcp_options.value
        max = tcp_options.value
      }
    }
  }

  dynamic "udp_options" {
    for_each = each.value.protocol == "udp" ? [each.value.port] : []

    content {
      destination_port_range {
        min = udp_options.value
        max = udp_options.value
      }
    }
  }
}

# Admit all packets of the private nodes, because their packets to the internet pass through the ingress node.
resource "oci_core_network_security_group_security_rule" "forwarded" {
  network_security_group_id = oci_core_network_security_group.node["ingress"].id
  direction                 = "INGRESS"
  protocol                  = "all"
  source                    = var.private_subnet
  source_type               = "CIDR_BLOCK"
}
