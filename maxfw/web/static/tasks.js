// Services of the original framework do not name their task; the shape of the answer does.
export function guessedTask(answer, media) {
  if (media) return media.type.startsWith("image/") ? "image-to-image" : "json";
  const [first] = Array.isArray(answer?.predictions) ? answer.predictions : [];
  const guesses = [
    ["image-segmentation", answer?.seg_map],
    ["ocr", Array.isArray(answer?.text)],
    ["summarization", answer?.summary_text],
    ["toxicity", answer?.results?.[0]?.original_text],
    ["token-classification", answer?.prediction?.tags && answer.prediction.terms],
    ["text-generation", answer?.prediction?.generated_text],
    ["face-analysis", first?.detection_box && (first.age_estimation !== undefined || first.emotion_predictions)],
    ["object-detection", first?.detection_box && first.label],
    ["pose-estimation", Array.isArray(first?.body_parts)],
    ["image-captioning", first?.caption],
    ["instance-segmentation", Array.isArray(first?.mask)],
  ];
  return guesses.find(([, fits]) => fits)?.[0] ?? "json";
}
