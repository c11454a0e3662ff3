variable "name" {
  description = "The beginning of every name: letters, digits and hyphens, such as fleet."
  type        = string

  validation {
    condition     = can(regex("^[a-z][a-z0-9-]{1,14}[a-z0-9]$", var.name))
    error_message = "3 to 16 lower-case letters, digits and hyphens; the first a letter, the last no hyphen."
  }
}

variable "location" {
  description = "The Azure region, such as westeurope."
  type        = string
}

variable "resource_group_name" {
  description = "An existing resource group; by default a new one is created."
  type        = string
  default     = null
}

variable "key_vault_name" {
  description = "The name of the Key Vault, unique in Azure."
  type        = string
}

variable "registry_name" {
  description = "The name of the container registry, unique in Azure: letters and digits."
  type        = string
}

variable "slipway_url" {
  description = "The URL from which nodes download the executable. It must not contain a secret, because every user of a VM can read it."
  type        = string

  validation {
    condition     = can(regex("^https://[^'\\s]+$", var.slipway_url))
    error_message = "An https address without quotes and blanks."
  }
}

variable "slipway_sha256" {
  description = "The sha256 of the executable: sha256sum slipway-linux-x64."
  type        = string

  validation {
    condition     = can(regex("^[0-9a-f]{64}$", var.slipway_sha256))
    error_message = "64 hexadecimal digits in lower case."
  }
}

variable "ssh_public_key" {
  description = "The public key of the administrator; Azure requires a key or a password for a Linux VM."
  type        = string
}

variable "agents" {
  description = "The agents, by the part of their names after the hyphen, with the size of each."
  type        = map(object({ size = optional(string) }))
  default     = { agent-1 = {} }

  validation {
    condition     = !contains(keys(var.agents), "server") && !contains(keys(var.agents), "observability")
    error_message = "The server and the node for observability have these names: call no agent server or observability."
  }
}

variable "observability" {
  description = "Whether there is a node for observability, with its label and taint."
  type        = bool
  default     = true
}

variable "size" {
  description = "The size of the VMs, with the processor of the executable."
  type        = string
  default     = "Standard_B2als_v2"
}

variable "image" {
  description = "The image of the VMs, with systemd and cloud-init."
  type        = object({ publisher = string, offer = string, sku = string, version = string })
  default     = { publisher = "Debian", offer = "debian-13", sku = "13-gen2", version = "latest" }
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

variable "flux" {
  description = "The settings of gitops.flux, if Flux manages the cluster."
  type        = any
  default     = null

  validation {
    condition     = var.flux == null || var.flux_git_token != null
    error_message = "Flux needs the token of the Git repository, at every apply: TF_VAR_flux_git_token."
  }
}

variable "flux_git_token" {
  description = "With flux: the token of the Git repository. Set at every apply (TF_VAR_flux_git_token), and stored only in the vault."
  type        = string
  default     = null
  sensitive   = true
  ephemeral   = true
}

variable "secrets_version" {
  description = "Increase it to write new secrets to the vault; docs/usage/configuration.md explains what running nodes do then (consent.tokenChange)."
  type        = number
  default     = 1
}

variable "address_space" {
  description = "The addresses of the virtual network."
  type        = string
  default     = "10.0.0.0/16"
}

variable "subnet" {
  description = "The addresses of the nodes, within address_space. The server has the fifth, the first one not reserved by Azure."
  type        = string
  default     = "10.0.1.0/24"
}

variable "ssh_sources" {
  description = "The ranges from which nodes can be reached by SSH: none by default. The nodes have no public address."
  type        = list(string)
  default     = []
}

variable "nat_gateway" {
  description = "Whether the nodes use a NAT gateway; false if the network has another route to the internet, such as a proxy."
  type        = bool
  default     = true
}

variable "purge_protection" {
  description = "Whether a deleted vault is kept for 90 days. This cannot be undone."
  type        = bool
  default     = true
}

variable "key_vault_sources" {
  description = "The addresses from which the vault can be reached, including that of the machine that runs Terraform; the nodes always can. By default any address, with a token."
  type        = list(string)
  default     = null
}

variable "registry_sku" {
  description = "Basic, Standard or Premium."
  type        = string
  default     = "Basic"
}

variable "pull_role" {
  description = "The role for pulls; with ABAC permissions it is Container Registry Repository Reader."
  type        = string
  default     = "AcrPull"

  validation {
    condition     = contains(["AcrPull", "Container Registry Repository Reader"], var.pull_role)
    error_message = "AcrPull, or Container Registry Repository Reader."
  }
}
