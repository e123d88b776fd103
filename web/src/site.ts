import { mount as heatmap } from "./heatmap/view.ts";
import { defineElement } from "./lib/host.ts";

defineElement("attn-heatmap", heatmap);
