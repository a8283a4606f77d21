"""What a converter lacks, or does wrongly, said in operations that it has: one file a lowering."""
