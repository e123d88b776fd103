import { mount as cocktail } from "./cocktail/view.ts";
import { mount as curves } from "./curves/view.ts";
import { mount as gaze } from "./gaze/view.ts";
import { mount as heatmap } from "./heatmap/view.ts";
import { defineElement } from "./lib/host.ts";
import { mount as mask } from "./mask/view.ts";
import { mount as playground } from "./qkv/view.ts";
import { mount as sentence } from "./sentence/view.ts";
import { mount as softmaxLab } from "./softmaxlab/view.ts";

defineElement("attn-curves", curves);
defineElement("attn-heatmap", heatmap);
defineElement("attn-qkv", playground);
defineElement("attn-softmax-lab", softmaxLab);
defineElement("attn-gaze", gaze);
defineElement("attn-cocktail", cocktail);
defineElement("attn-mask", mask);
defineElement("attn-sentence", sentence);
