"""The model itself, judged in Keras before any format is written."""

from kexport.factory.diagnosis.model_diagnosis import Diagnosis, diagnose
from kexport.factory.diagnosis.named_trace import traced

__all__ = ["Diagnosis", "diagnose", "traced"]
