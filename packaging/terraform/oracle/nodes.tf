data "oci_identity_availability_domains" "all" {
  compartment_id = var.tenancy_id
}

data "oci_core_images" "ubuntu" {
  compartment_id           = var.compartment_id
  operating_system         = "Canonical Ubuntu"
  operating_system_version = var.ubuntu
  shape                    = "VM.Standard.A1.Flex"
  sort_by                  = "TIMECREATED"
  sort_order               = "DESC"
}

resource "oci_core_instance" "node" {
  for_each            = local.roles
  display_name        = "${var.name}-${each.key}"
  compartment_id      = var.compartment_id
  availability_domain = data.oci_identity_availability_domains.all.availability_domains[var.availability_domain - 1].name
  shape               = "VM.Standard.A1.Flex"
  freeform_tags       = local.tags[each.key]

  shape_config {
    ocpus         = var.sizes[each.key].ocpus
    memory_in_gbs = var.sizes[each.key].memory
  }

  create_vnic_details {
    subnet_id        = each.key == "ingress" ? oci_core_subnet.public.id : oci_core_subnet.private.id
    private_ip       = { ingress = local.ingress_ip, server = local.server_ip, worker = cidrhost(var.private_subnet, 11) }[each.key]
    assign_public_ip = each.key == "ingress"
    hostname_label   = "${var.name}-${each.key}"
    nsg_ids          = [oci_core_network_security_group.node[each.key].id]
    # Otherwise Oracle Cloud would drop the packets that the ingress node forwards.
    skip_source_dest_check = each.key == "ingress"
  }

  source_details {
    source_type = "image"
    source_id   = data.oci_core_images.ubuntu.images[0].id
  }

  metadata = {
    ssh_authorized_keys = var.ssh_public_key
    user_data = base64encode(templatefile("${path.module}/../../cloud-init/oracle.yaml", {
      slipway_url    = var.slipway_url
      slipway_sha256 = var.slipway_sha256
      firewall       = local.firewall[each.key]
      config         = indent(6, trimspace(yamlencode(merge({ oracle = { vault = { id = data.oci_kms_vault.fleet.id } } }, local.settings[each.key]))))
    }))
  }

  # Permit only version 2 of the metadata service, which requires a header.
  instance_options {
    are_legacy_imds_endpoints_disabled = true
  }

  lifecycle {
    # Otherwise Terraform would replace every node for a new release of Slipway or a new image.
    ignore_changes = [metadata, source_details]
  }
}
