// The words of the live page, as JSON behind a keyword: web/wording.py reads this file too,
// so that a page says the same whether the server or the script wrote it.
export default {
  "headings": {
    "pending": "Question Generation Queued",
    "processing": "Generating Questions",
    "paused": "Question Generation Paused",
    "completed": "Question Generation Success",
    "partial": "Partial Question Generation Success",
    "failed": "Question Generation Failed",
    "cancelled": "Question Generation Cancelled"
  },
  "states": {
    "pending": "Queued",
    "processing": "Running",
    "paused": "Paused",
    "completed": "Complete",
    "partial": "Partial",
    "failed": "Failed",
    "cancelled": "Cancelled"
  },
  "batches": {
    "pending": "Waiting",
    "processing": "Generating",
    "completed": "Saved",
    "failed": "Failed",
    "cancelled": "Cancelled"
  },
  "actions": {
    "pending": {"pause": "Pause", "cancel": "Cancel Generation"},
    "processing": {"pause": "Pause", "cancel": "Cancel Generation"},
    "paused": {"resume": "Resume Generation", "cancel": "Cancel Generation"},
    "completed": {},
    "partial": {"retry": "Retry Failed Batches"},
    "failed": {"retry": "Retry Question Generation"},
    "cancelled": {}
  },
  "types": {
    "multiple_choice": "Multiple choice",
    "multiple_response": "Multiple response",
    "true_false": "True or false",
    "fill_in_blank": "Fill in the blank",
    "short_answer": "Short answer",
    "matching": "Matching",
    "numeric": "Numeric",
    "flashcard": "Flashcard",
    "vocabulary": "Vocabulary"
  },
  "safe": "Only failed batches will be regenerated. Your existing questions are safe.",
  "limit": "New cost limit in US dollars",
  "retry_one": "Retry this batch",
  "connections": {
    "connecting": "connecting...",
    "live": "live",
    "reconnecting": "reconnecting...",
    "ended": "up to date"
  },
  "unknown": "not known yet",
  "idle": {
    "pending": "not known yet",
    "paused": "paused",
    "completed": "ended",
    "partial": "ended",
    "failed": "ended",
    "cancelled": "ended"
  },
  "waits": "waiting for the provider",
  "outcomes": {
    "running": "runs",
    "completed": "saved",
    "retrying": "tried again later",
    "failed": "failed",
    "cancelled": "cancelled",
    "worker_lost": "its worker was lost",
    "released": "let go by its worker"
  },
  "kinds": {
    "questions": {"label": "Questions", "types": ["question.accepted"]},
    "rejections": {"label": "Rejections", "types": ["question.rejected"]},
    "waits": {"label": "Retries and waits", "types": ["batch.retrying", "batch.requeued"]},
    "batches": {"label": "Batches", "types": ["batch.started", "batch.completed", "batch.failed"]},
    "generation": {
      "label": "The generation",
      "types": [
        "generation.started",
        "generation.paused",
        "generation.resumed",
        "generation.completed",
        "generation.partial",
        "generation.failed",
        "generation.cancelled"
      ]
    }
  },
  "reasons": {
    "provider_overloaded": "the provider is overloaded",
    "provider_rate_limited": "the provider's rate limit is reached",
    "provider_unavailable": "the provider can't be reached",
    "timeout": "the provider does not answer"
  },
  "events": {
    "generation.started": "The generation began",
    "generation.paused.user": "Paused by hand",
    "generation.paused.cost_cap": "Paused: its cost limit is reached",
    "generation.resumed": "Resumed",
    "batch.started": "Attempt {attempt} began",
    "question.accepted": "Accepted {held_count} of {target_count}: {preview}",
    "question.rejected": "Rejected: {message} ({code})",
    "batch.retrying": "Tries again in {delay}: {reason}",
    "batch.completed": "Saved: {saved}",
    "batch.failed": "Failed: {message} ({code}). {held_count} of {target} held",
    "batch.requeued.retry": "Retried: it waits for a worker",
    "batch.requeued.worker_lost": "Waits for a worker again: the one it had stopped or let go",
    "generation.completed": "Completed: {generated_count} of {requested} saved",
    "generation.partial": "Ended partially: {generated_count} of {requested} saved",
    "generation.failed": "Failed: {generated_count} of {requested} saved",
    "generation.cancelled": "Cancelled: {generated_count} of {requested} saved"
  }
};
