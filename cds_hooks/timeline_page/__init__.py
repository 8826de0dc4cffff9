"""The timeline page: every lesion over time, opened from inside the EHR."""
