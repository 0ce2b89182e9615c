// What other things refer to.

import { resource } from "./parts/resource";

export const flows = resource("/api/v1/flows");
export const numbers = resource("/api/v1/numbers");
export const prompts = resource("/api/v1/prompts");
export const users = resource("/api/v1/users");
export const skills = resource("/api/v1/skills");
export const devices = resource("/api/v1/devices");
export const trunks = resource("/api/v1/trunks");
export const channels = resource("/api/v1/channels");
export const profiles = resource("/api/v1/profiles");
