variable "name" {
  description = "The beginning of every name: lower-case letters and digits, such as fleet."
  type        = string

  validation {
    condition     = can(regex("^[a-z][a-z0-9]{1,14}$", var.name))
    error_message = "2 to 15 lower-case letters and digits; the first a letter."
  }
}

variable "region" {
  description = "The region, such as eu-frankfurt-1."
  type        = string
}

variable "home_region" {
  description = "The home region of the tenancy, if it is not region."
  type        = string
  default     = null
}

variable "tenancy_id" {
  description = "The OCID of the tenancy, which contains the dynamic groups."
  type        = string
}

variable "compartment_id" {
  description = "The OCID of the compartment for all other resources."
  type        = string
}

variable "availability_domain" {
  description = "The number of the availability domain of the nodes. Another number may have capacity."
  type        = number
  default     = 1
}

variable "slipway_url" {
  description = "The URL from which nodes download the executable for arm64. It must not contain a secret, because every user of a VM can read it."
  type        = string

  validation {
    condition     = can(regex("^https://[^'\\s]+$", var.slipway_url))
    error_message = "An https address without quotes and blanks."
  }
}

variable "slipway_sha256" {
  description = "The sha256 of the executable: sha256sum slipway-linux-arm64."
  type        = string

  validation {
    condition     = can(regex("^[0-9a-f]{64}$", var.slipway_sha256))
    error_message = "64 hexadecimal digits in lower case."
  }
}

variable "ssh_public_key" {
  description = "The public key of the administrator."
  type        = string
}

variable "ssh_sources" {
  description = "The ranges that may reach the ingress node by SSH, and through it the other nodes: none by default."
  type        = list(string)
  default     = []
}

variable "web_sources" {
  description = "The ranges that may reach ports 80 and 443 of the ingress node."
  type        = list(string)
  default     = ["0.0.0.0/0"]
}

variable "open_image_firewall" {
  description = "Your consent to add rules to those of the image, which otherwise reject what K3s and NAT need."
  type        = bool
}

variable "vault_id" {
  description = "The OCID of an existing vault that contains the join tokens; by default a new one is created."
  type        = string
  default     = null
}

variable "registries" {
  description = "The login servers of Oracle's registry to pull from, such as fra.ocir.io."
  type        = list(string)
  default     = []
}

variable "server_secrets" {
  description = "More secrets of the vault that only the server may read, such as those that workloads.secrets names in settings."
  type        = list(string)
  default     = []

  validation {
    condition     = alltrue([for name in var.server_secrets : can(regex("^[A-Za-z0-9._-]+$", name))])
    error_message = "Names of secrets: letters, digits, dots, dashes and underscores."
  }
}

variable "k3s_version" {
  description = "The K3s release for the tag k3s-version; by default that of Slipway."
  type        = string
  default     = null
}

variable "settings" {
  description = "More settings of Slipway for every node (docs/usage/configuration.md), each replacing a whole section; no secret."
  type        = any
  default     = {}
}

variable "sizes" {
  description = "The OCPUs and gigabytes of memory of each node, of the shape VM.Standard.A1.Flex."
  type        = map(object({ ocpus = number, memory = number }))
  default = {
    ingress = { ocpus = 1, memory = 2 }
    server  = { ocpus = 1, memory = 6 }
    worker  = { ocpus = 1, memory = 4 }
  }

  validation {
    condition     = toset(keys(var.sizes)) == toset(["ingress", "server", "worker"])
    error_message = "The nodes are ingress, server and worker."
  }
}

variable "ubuntu" {
  description = "The release of Ubuntu; the newest image of it is used."
  type        = string
  default     = "24.04"
}

variable "vcn" {
  description = "The addresses of the virtual network."
  type        = string
  default     = "10.0.0.0/16"
}

variable "public_subnet" {
  description = "The addresses of the subnet of the ingress node, within vcn. The node has the eleventh."
  type        = string
  default     = "10.0.1.0/24"
}

variable "private_subnet" {
  description = "The addresses of the subnet of the server and the worker, within vcn. The server has the eleventh."
  type        = string
  default     = "10.0.2.0/24"
}
