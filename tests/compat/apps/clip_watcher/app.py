from core.model import ModelWrapper
from maxfw.core import MAXApp
from api import ModelMetadataAPI, ModelPredictAPI, Heartbeat

max_app = MAXApp('Clip Watcher', 'Watches ' + ModelWrapper.MODEL_META_DATA['name'], '1.0')
max_app.add_api(ModelMetadataAPI, '/metadata')
max_app.add_api(ModelPredictAPI, '/predict')
max_app.add_api(Heartbeat, '/heartbeat')
max_app.add_api(Heartbeat, '/heartbeat/<float:seconds>')
max_app.run(port=5005)
