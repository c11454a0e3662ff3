# Each group lists the instances of its role by id, so that no tag grants rights.
resource "oci_identity_dynamic_group" "server" {
  provider       = oci.home
  compartment_id = var.tenancy_id
  name           = "${var.name}-server"
  description    = "The server of ${var.name}."
  matching_rule  = "ANY {instance.id = '${oci_core_instance.node["server"].id}'}"
}

resource "oci_identity_dynamic_group" "agents" {
  provider       = oci.home
  compartment_id = var.tenancy_id
  name           = "${var.name}-agents"
  description    = "The ingress node and the worker of ${var.name}."
  matching_rule  = "ANY {${join(", ", [for node in ["ingress", "worker"] : "instance.id = '${oci_core_instance.node[node].id}'"])}}"
}

# Each role reads only its own secrets.
resource "oci_identity_policy" "nodes" {
  provider       = oci.home
  compartment_id = var.compartment_id
  name           = "${var.name}-nodes"
  description    = "What the nodes of ${var.name} may read."
  statements = concat(
    [
      "Allow dynamic-group id ${oci_identity_dynamic_group.server.id} to read secret-bundles in compartment id ${var.compartment_id} where any {${join(", ", [for secret in local.secrets.server : "target.secret.name = '${secret}'"])}}",
      "Allow dynamic-group id ${oci_identity_dynamic_group.agents.id} to read secret-bundles in compartment id ${var.compartment_id} where any {${join(", ", [for secret in local.secrets.agents : "target.secret.name = '${secret}'"])}}",
    ],
    [for group in length(var.registries) > 0 ? [oci_identity_dynamic_group.server.id, oci_identity_dynamic_group.agents.id] : [] :
    "Allow dynamic-group id ${group} to read repos in compartment id ${var.compartment_id}"],
  )
}
