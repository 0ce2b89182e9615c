import { resource } from "../parts/resource";

export const calendars = resource("/api/v1/calendars");
