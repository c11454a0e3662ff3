variable "servers" {
  description = "The number of servers: 1 with SQLite, or 3 or 5 with embedded etcd behind an internal load balancer. Choose it before the first apply."
  type        = number
  default     = 1

  validation {
    condition     = contains([1, 3, 5], var.servers)
    error_message = "1, 3 or 5: etcd needs a majority, so an even number of servers survives no more failures than one fewer."
  }

  validation {
    condition     = !contains([3, 5], var.servers) || can(cidrhost(var.subnet, 15))
    error_message = "Several servers and their load balancer need a subnet of /28 or larger."
  }

  validation {
    condition     = !contains([3, 5], var.servers) || var.backup_account_name != null
    error_message = "Set backup_account_name: the first of several servers claims the cluster beside the backups."
  }
}

variable "founding" {
  description = "Whether the first of several servers has the tag k3s-init, and may found the cluster. Set it to false after the first day."
  type        = bool
  default     = true
}

variable "backup_account_name" {
  description = "The name of the storage account for backups, unique in Azure: lower-case letters and digits. By default there are no backups."
  type        = string
  default     = null

  validation {
    condition     = var.backup_account_name == null || can(regex("^[0-9a-z]{3,24}$", var.backup_account_name))
    error_message = "3 to 24 lower-case letters and digits, without the suffix .blob.core.windows.net."
  }
}

variable "backup_replication" {
  description = "With backups: how Azure replicates the storage account, such as ZRS, GRS or LRS."
  type        = string
  default     = "ZRS"

  validation {
    condition     = contains(["LRS", "ZRS", "GRS", "GZRS", "RAGRS", "RAGZRS"], var.backup_replication)
    error_message = "LRS, ZRS, GRS, GZRS, RAGRS or RAGZRS."
  }
}
